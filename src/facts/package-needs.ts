/*
 * What is known of packages and programs. Debian's names were looked up in the package lists of bookworm and trixie
 * (2026-11-28), Alpine's in the history of its aports, as 3.24's list could not be had. Read in their build files (2026-11): adbc,
 * enacl, eimp, erlexec, ex_dtls, ex_libsrtp, ezstd, fast_tls, fast_xml, fast_yaml, gen_magic, re2, xav. The other rows stand
 * as issues, documentation and real Dockerfiles told them; they were not read again. By default rustler_precompiled has
 * binaries for musl, and cc_precompiler has not.
 */
const words = (text: string): string[] => text.trim().split(/\s+/);

/** Native code that mix.lock doesn't show: rebar3 or the package's own mix.exs compiles it, or finds it compiled. */
export const SILENT: ReadonlySet<string> = new Set(
  words(`
    appsignal brotli bundlex cmark crc crc32cer eimp enacl erlexec esqlite ex_keccak ex_secp256k1 ezstd fast_tls fast_xml
    fast_yaml iconv jiffy lz4 lz4b pbkdf2 prometheus_process_collector rambo re2 rocksdb sippet snappyer stringprep xla
  `),
);

/** Native code with binaries for musl, or that is compiled there. */
export const MUSL: ReadonlySet<string> = new Set(
  words(`
    appsignal argon2_elixir bcrypt_elixir brotli cmark comeonin crc crc32cer eimp enacl erlexec esqlite evision ex_dtls
    explorer exqlite ezstd fast_html fast_tls fast_xml fast_yaml html5ever iconv jiffy lazy_html lumis lz4 lz4b mdex
    mdex_native mjml muontrap pbkdf2 pbkdf2_elixir picosat_elixir prometheus_process_collector resvg rocksdb rustler snappyer
    stringprep tokenizers vix
  `),
);

/** Native code with binaries for glibc alone. */
export const GLIBC: ReadonlySet<string> = new Set(words('adbc bundlex exla ortex torchx xla'));

/** Packages of Alpine and of Debian; an empty name: every image has it. */
export type SystemPackages = readonly [alpine: string, debian: string];
/** The system has none. */
export const NO_PACKAGE = '-';
type Row = readonly [...SystemPackages, wantedBy: string];

function byName(rows: readonly Row[]): ReadonlyMap<string, SystemPackages> {
  const found = new Map<string, SystemPackages>();
  for (const [alpine, debian, wantedBy] of rows)
    for (const name of words(wantedBy)) {
      const [before, beside] = found.get(name) ?? ['', ''];
      found.set(name, [`${before} ${alpine}`, `${beside} ${debian}`]);
    }
  return found;
}

const both = (names: string, wantedBy = names): Row => [names, names, wantedBy];

/** What packages of Hex are compiled with, beside a C compiler. */
export const BUILDS = byName([
  ['bash', '', 'ezstd'],
  both('cmake', 'adbc brotli crc32cer fast_html rocksdb snappyer'),
  both('curl', 'appsignal'),
  ['expat-dev', 'libexpat1-dev', 'fast_xml'],
  ['ffmpeg-dev', 'libavcodec-dev libavdevice-dev libavformat-dev libswscale-dev', 'xav'],
  ['file file-dev', 'file libmagic-dev', 'gen_magic'],
  ['gd-dev libjpeg-turbo-dev', 'libgd-dev libjpeg-dev', 'eimp'],
  ['gleam', NO_PACKAGE, 'mix_gleam'],
  ['graphicsmagick-dev', 'libgraphicsmagick1-dev', 'exmagick'],
  ['libpng-dev libwebp-dev', 'libpng-dev libwebp-dev', 'eimp'],
  ['libsodium-dev', 'libsodium-dev', 'enacl'],
  ['libsrtp-dev', 'libsrtp2-dev', 'ex_libsrtp'],
  ['linux-headers', '', 'erlexec rocksdb'],
  ['openssl-dev', 'libssl-dev', 'ex_dtls fast_tls'],
  ['perl', '', 'rocksdb'],
  ['pkgconf', 'pkg-config', 'ex_dtls ex_libsrtp exmagick xav'],
  ['yaml-dev', 'libyaml-dev', 'fast_yaml'],
]);

/** What packages of Hex link to or start when they run. */
export const RUNS = byName([
  ['bash', '', 'erlexec'],
  both('chromium', 'chromic_pdf'),
  ['expat', 'libexpat1', 'fast_xml'],
  both('ffmpeg', 'ffmpex'),
  ['ffmpeg-libs', 'ffmpeg', 'xav'],
  ['fwup', '', 'fwup'],
  both('gnupg', 'gpg_ex'),
  both('graphicsmagick', 'exmagick'),
  both('imagemagick', 'mogrify'),
  ['libgd libjpeg-turbo libpng libwebp', 'libgd3', 'eimp'],
  ['libmagic', 'libmagic1', 'gen_magic'],
  ['libsodium', 'libsodium23', 'enacl'],
  ['libsrtp', 'libsrtp2-1', 'ex_libsrtp'],
  both('python3', 'erlport export'),
  // wkhtmltopdf: bookworm has it, trixie and Alpine have not
  both(NO_PACKAGE, 'pdf_generator'),
  both('tesseract-ocr', 'tesseract_ocr'),
  both('tzdata', 'zoneinfo'),
  ['yaml', 'libyaml-0-2', 'fast_yaml'],
]);

/** What packages of Hex need and no package of the system brings, as half a sentence (their READMEs, 2026-11). */
export const BY_HAND: Readonly<Record<string, string>> = {
  pdf_generator: 'starts wkhtmltopdf, or chrome-headless-render-pdf of npm with Node and Chromium',
  puppeteer_pdf: 'starts puppeteer-pdf of npm with Node and Chromium',
  zigler: 'compiles with Zig, which `mix zig.get` downloads after deps.get',
};

/** What brings the programs that code starts. */
export const PROGRAMS = byName([
  both(
    '',
    'cat chmod chown cp cut date df echo env false find grep gzip head hostname id kill ln ls md5sum mkdir mktemp mv nproc pwd',
  ),
  both('', 'rm sed sh sleep sort stat tail tar tee test touch tr true uname whoami xargs'),
  ...words(`
    chromium curl ffmpeg file git inkscape jpegoptim jq mediainfo npm openssl optipng pngquant qpdf rclone rsync sox
    whois yt-dlp zip
  `).map((name) => both(name)),
  ['bash', '', 'bash'],
  ['bind-tools', 'bind9-dnsutils', 'dig'],
  both('bubblewrap', 'bwrap'),
  ['exiftool', 'libimage-exiftool-perl', 'exiftool'],
  both('ffmpeg', 'ffprobe'),
  ['fwup', NO_PACKAGE, 'fwup'],
  both('ghostscript', 'gs'),
  both('gnupg', 'gpg'),
  both('graphicsmagick', 'gm'),
  both('graphviz', 'dot'),
  ['libheif-tools', 'libheif-examples', 'heif-convert'],
  both('imagemagick', 'convert identify magick mogrify'),
  both('libreoffice', 'libreoffice soffice'),
  ['libwebp-tools', 'webp', 'cwebp'],
  both('nodejs', 'node'),
  both('npm', 'npx'),
  ['openssh-client-default', 'openssh-client', 'ssh'],
  ['openssh-keygen', 'openssh-client', 'ssh-keygen'],
  ['pandoc-cli', 'pandoc', 'pandoc'],
  both('poppler-utils', 'pdfinfo pdftocairo pdftoppm pdftotext'),
  both('postgresql-client', 'pg_dump pg_restore psql'),
  ['', 'iputils-ping', 'ping'],
  ['', 'procps', 'ps'],
  both('python3', 'python python3'),
  ['rsvg-convert', 'librsvg2-bin', 'rsvg-convert'],
  ['sqlite', 'sqlite3', 'sqlite3'],
  both('tesseract-ocr', 'tesseract'),
  ['', 'unzip', 'unzip'],
  ['vips-tools', 'libvips-tools', 'vips'],
  ['', 'wget', 'wget'],
  ['xz', 'xz-utils', 'xz'],
]);

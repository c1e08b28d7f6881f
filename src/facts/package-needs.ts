/*
 * What is known of packages and programs. To add a package with native code, name it in MUSL_NATIVE or GLIBC_NATIVE, in
 * HIDDEN_NATIVE when mix.lock doesn't show the code; BUILD_PACKAGES and RUNTIME_PACKAGES say what it needs of the system.
 *
 * Debian's names were looked up in the package lists of bookworm and trixie (2026-11-28), Alpine's in the history of its
 * aports, as 3.24's list could not be had. Read in their build files (2026-11): adbc, enacl, eimp, erlexec, ex_dtls,
 * ex_libsrtp, ezstd, fast_tls, fast_xml, fast_yaml, gen_magic, re2, xav. The other rows come from issues, documentation and
 * real Dockerfiles. By default rustler_precompiled has binaries for musl, and cc_precompiler has not.
 */
const words = (text: string): string[] => text.trim().split(/\s+/);
const setOf = (text: string): ReadonlySet<string> => new Set(words(text));

/** Packages whose dependents compile or download native code. */
export const NATIVE_BUILDERS = setOf(
  'bundlex cc_precompiler elixir_make rustler rustler_precompiled unifex zigler',
);

/** They depend on builders and bring nothing native themselves. */
export const BUILD_TOOLS = setOf(`
  cc_precompiler elixir_make membrane_precompiled_dependency_provider rustler rustler_precompiled zigler
`);

/** Native packages that apps name in mix.exs themselves, and hardly a git dependency does. */
export const NAMED_BY_APPS = setOf(`
  appsignal argon2_elixir bcrypt_elixir comeonin erlexec fast_html html5ever pbkdf2_elixir rambo
`);

/** Native code that mix.lock doesn't show: rebar3 or the package's own mix.exs compiles it, or finds it compiled. */
export const HIDDEN_NATIVE = setOf(`
  appsignal brotli bundlex cmark crc crc32cer eimp enacl erlexec esqlite ex_keccak ex_secp256k1 ezstd fast_tls fast_xml
  fast_yaml iconv jiffy lz4 lz4b pbkdf2 prometheus_process_collector rambo re2 rocksdb sippet snappyer stringprep xla
`);

/** Native code with binaries for musl, or that is compiled there. */
export const MUSL_NATIVE = setOf(`
  appsignal argon2_elixir bcrypt_elixir brotli cmark comeonin crc crc32cer eimp enacl erlexec esqlite evision ex_dtls
  explorer exqlite ezstd fast_html fast_tls fast_xml fast_yaml html5ever iconv jiffy lazy_html lumis lz4 lz4b mdex
  mdex_native mjml muontrap pbkdf2 pbkdf2_elixir picosat_elixir prometheus_process_collector resvg rocksdb rustler snappyer
  stringprep tokenizers vix
`);

/** Native code with binaries for glibc alone. */
export const GLIBC_NATIVE = setOf('adbc bundlex exla ortex torchx xla');

/** Names of system packages, by spaces; '' where every image has them. */
export type SystemPackages = readonly [alpine: string, debian: string];
/** Instead of a name: the system has no such package. */
export const NO_PACKAGE = '-';
type Row = readonly [...SystemPackages, users: string];

/** System packages by the name of their user; one with several rows needs the packages of all. */
function byUser(rows: readonly Row[]): ReadonlyMap<string, SystemPackages> {
  const packages = new Map<string, SystemPackages>();
  for (const [alpine, debian, users] of rows)
    for (const user of words(users)) {
      const [alpineBefore, debianBefore] = packages.get(user) ?? ['', ''];
      packages.set(user, [`${alpineBefore} ${alpine}`, `${debianBefore} ${debian}`]);
    }
  return packages;
}

/** A row whose packages have the same names on Alpine and Debian, as often the user itself has. */
const sameName = (names: string, users = names): Row => [names, names, users];
const inEveryImage = (users: string): Row => ['', '', users];

/** What packages of Hex are compiled with, beside a C compiler. */
export const BUILD_PACKAGES = byUser([
  ['bash', '', 'ezstd'],
  sameName('cmake', 'adbc brotli crc32cer fast_html rocksdb snappyer'),
  sameName('curl', 'appsignal'),
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
export const RUNTIME_PACKAGES = byUser([
  ['bash', '', 'erlexec'],
  sameName('chromium', 'chromic_pdf'),
  ['expat', 'libexpat1', 'fast_xml'],
  sameName('ffmpeg', 'ffmpex'),
  ['ffmpeg-libs', 'ffmpeg', 'xav'],
  ['fwup', '', 'fwup'],
  sameName('gnupg', 'gpg_ex'),
  sameName('graphicsmagick', 'exmagick'),
  sameName('imagemagick', 'mogrify'),
  ['libgd libjpeg-turbo libpng libwebp', 'libgd3', 'eimp'],
  ['libmagic', 'libmagic1', 'gen_magic'],
  ['libsodium', 'libsodium23', 'enacl'],
  ['libsrtp', 'libsrtp2-1', 'ex_libsrtp'],
  sameName('python3', 'erlport export'),
  // wkhtmltopdf: bookworm has it, trixie and Alpine have not
  [NO_PACKAGE, NO_PACKAGE, 'pdf_generator'],
  sameName('tesseract-ocr', 'tesseract_ocr'),
  sameName('tzdata', 'zoneinfo'),
  ['yaml', 'libyaml-0-2', 'fast_yaml'],
]);

/** What packages of Hex need and no package of the system brings, as half a sentence (their READMEs, 2026-11). */
export const BY_HAND: Readonly<Record<string, string>> = {
  pdf_generator: 'starts wkhtmltopdf, or chrome-headless-render-pdf of npm with Node and Chromium',
  puppeteer_pdf: 'starts puppeteer-pdf of npm with Node and Chromium',
  zigler: 'compiles with Zig, which `mix zig.get` downloads after deps.get',
};

/** What brings the programs that code starts. */
export const PROGRAM_PACKAGES = byUser([
  inEveryImage(`
    cat chmod chown cp cut date df echo env false find grep gzip head hostname id kill ln ls md5sum mkdir mktemp mv nproc pwd
    rm sed sh sleep sort stat tail tar tee test touch tr true uname whoami xargs
  `),
  ...words(`
    chromium curl ffmpeg file git inkscape jpegoptim jq mediainfo npm openssl optipng pngquant qpdf rclone rsync sox
    whois yt-dlp zip
  `).map((name) => sameName(name)),
  ['bash', '', 'bash'],
  ['bind-tools', 'bind9-dnsutils', 'dig'],
  sameName('bubblewrap', 'bwrap'),
  ['exiftool', 'libimage-exiftool-perl', 'exiftool'],
  sameName('ffmpeg', 'ffprobe'),
  ['fwup', NO_PACKAGE, 'fwup'],
  sameName('ghostscript', 'gs'),
  sameName('gnupg', 'gpg'),
  sameName('graphicsmagick', 'gm'),
  sameName('graphviz', 'dot'),
  ['libheif-tools', 'libheif-examples', 'heif-convert'],
  sameName('imagemagick', 'convert identify magick mogrify'),
  sameName('libreoffice', 'libreoffice soffice'),
  ['libwebp-tools', 'webp', 'cwebp'],
  sameName('nodejs', 'node'),
  sameName('npm', 'npx'),
  ['openssh-client-default', 'openssh-client', 'ssh'],
  ['openssh-keygen', 'openssh-client', 'ssh-keygen'],
  ['pandoc-cli', 'pandoc', 'pandoc'],
  sameName('poppler-utils', 'pdfinfo pdftocairo pdftoppm pdftotext'),
  sameName('postgresql-client', 'pg_dump pg_restore psql'),
  ['', 'iputils-ping', 'ping'],
  ['', 'procps', 'ps'],
  sameName('python3', 'python python3'),
  ['rsvg-convert', 'librsvg2-bin', 'rsvg-convert'],
  ['sqlite', 'sqlite3', 'sqlite3'],
  sameName('tesseract-ocr', 'tesseract'),
  ['', 'unzip', 'unzip'],
  ['vips-tools', 'libvips-tools', 'vips'],
  ['', 'wget', 'wget'],
  ['xz', 'xz-utils', 'xz'],
]);

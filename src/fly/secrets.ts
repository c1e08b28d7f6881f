/**
 * Set on every machine by Fly (fly.io/docs/machines/runtime-environment), the release's own script (`mix release`,
 * release.init.ex) or Linux; a secret of that name would change nothing, or break it. Of Fly's names only its tokens
 * are for the owner to set, as FLAME wants one.
 */
const PROVIDED =
  /^(FLY_(?!API_TOKEN$|ACCESS_TOKEN$).*|PRIMARY_REGION|RELEASE_.*|BINDIR|ROOTDIR|PROGNAME|EMU|HOSTNAME|HOME|PATH|PWD|LANG|USER|SHELL|TERM)$/;

/** What an app demands at run time and nobody provides. @param set names that fly.toml's [env], the Dockerfile's ENV or rel/env.sh.eex set */
export function secretsToSet<Demanded extends { name: string; compileTime: boolean }>(
  demanded: readonly Demanded[],
  set: Iterable<string>,
): Demanded[] {
  const names = new Set(set);
  return demanded.filter(
    ({ name, compileTime }) => !compileTime && !PROVIDED.test(name) && !names.has(name),
  );
}

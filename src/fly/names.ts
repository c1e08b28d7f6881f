const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Fly's rule for app names (flyctl plan_builder.go) plus DNS's 63 characters (superfly/flyctl#4283). */
export const isAppName = (name: string): boolean => LABEL.test(name);

/** The nearest app name: `my_app` becomes `my-app`. Three characters stay free for `-db`. */
export function toAppName(text: string): string {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? ['my', 'app'];
  return words.join('-').slice(0, 60).replace(/-$/, '');
}

/** A host name in lower case, without scheme, port or path. */
export function isHostName(name: string): boolean {
  const labels = name.split('.');
  const isAddress = /^\d+$/.test(labels.at(-1) ?? '');
  return name.length <= 253 && labels.length > 1 && labels.every(isAppName) && !isAddress;
}

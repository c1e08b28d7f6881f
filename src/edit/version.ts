/** Stands in the marks of generated files; the same as in package.json. */
export const VERSION = '0.2.0';

/** The one port: EXPOSE, PORT and internal_port say the same. */
export const PORT = 4000;

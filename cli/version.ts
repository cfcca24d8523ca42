/** Argus' own version, as `argus --version` says it. */
export const argusVersion = '0.1.0';

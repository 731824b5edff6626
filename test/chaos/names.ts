/** Who is who in the world that faults happen to. */

export const domain = 'example.test';
export const component = `pbx.${domain}`;
export const secret = 'secret';

/** The extensions of the telephones, which are the users' names as well. */
export const extensions = ['340', '341', '342', '343', '344', '345'] as const;
export const sessionOf = (extension: string) => `${extension}@${domain}/x`;

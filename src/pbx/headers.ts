import { Names } from './names.ts';

/** Headers by number: those that were ever asked for, and those that stand in blocks. Few: the names stand in the program. */
export const headers = new Names(['Event']);

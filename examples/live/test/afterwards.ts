import { after } from 'node:test';

const endings: (() => void)[] = [];
after(() => endings.forEach((end) => end()));

/** Ends something after all tests of a file, which otherwise goes on for ever when one of them fails. */
export function afterwards(end: () => void): void {
  endings.push(end);
}

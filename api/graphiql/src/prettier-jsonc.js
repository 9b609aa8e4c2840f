// GraphiQL formats its JSON panes with Prettier's JavaScript parser, half a megabyte of it.
// This stands in for that parser and printer, with the JSONC formatter that GraphiQL loads anyway.
import { applyEdits, format } from 'jsonc-parser';

export const parsers = {
  jsonc: {
    astFormat: 'jsonc',
    parse: (text) => ({ text }),
    locStart: () => 0,
    locEnd: ({ text }) => text.length,
  },
};

export const printers = {
  jsonc: {
    print({ node: { text } }) {
      return applyEdits(text, format(text, undefined, { insertSpaces: true, tabSize: 2 }));
    },
  },
};

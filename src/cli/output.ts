/**
 * Text for people. A command's `render` writes lines into a `TextOutput`; all text that
 * isn't a literal of ours is escaped on the way, so that no command can forget it. Where
 * the text goes (stdout, a pager, nowhere) is decided by others.
 */
import { escapeBlock, escapeTerminal } from './terminal.js';

/** Text that was escaped and coloured already. */
export class Styled {
  constructor(
    readonly text: string,
    readonly width: number,
  ) {}
}

export type Cell = string | number | Styled;

export interface Style {
  readonly bold: (text: Cell) => Styled;
  readonly dim: (text: Cell) => Styled;
  readonly red: (text: Cell) => Styled;
  readonly green: (text: Cell) => Styled;
  readonly yellow: (text: Cell) => Styled;
  readonly cyan: (text: Cell) => Styled;
}

function styled(cell: unknown, paint?: (text: string) => string): Styled {
  if (cell instanceof Styled) {
    return paint === undefined ? cell : new Styled(paint(cell.text), cell.width);
  }
  const text = escapeTerminal(String(cell));
  return new Styled(paint === undefined ? text : paint(text), [...text].length);
}

const plain = (text: Cell): Styled => styled(text);

export const PLAIN_STYLE: Style = {
  bold: plain,
  dim: plain,
  red: plain,
  green: plain,
  yellow: plain,
  cyan: plain,
};

/** Loads chalk, which only a terminal needs. */
export async function colourStyle(): Promise<Style> {
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  return {
    bold: (text) => styled(text, chalk.bold),
    dim: (text) => styled(text, chalk.dim),
    red: (text) => styled(text, chalk.red),
    green: (text) => styled(text, chalk.green),
    yellow: (text) => styled(text, chalk.yellow),
    cyan: (text) => styled(text, chalk.cyan),
  };
}

export class TextOutput {
  readonly #chunks: (string | Uint8Array)[] = [];

  constructor(readonly style: Style = PLAIN_STYLE) {}

  /**
   * One line. As a tag (out.line`${style.green(name)}: ${count}`) it escapes what is
   * interpolated and keeps styles; called with a string it escapes the whole.
   */
  line(text: TemplateStringsArray | Cell = '', ...values: readonly unknown[]): void {
    this.#chunks.push(Array.isArray(text) ? join(text, values) : styled(text).text, '\n');
  }

  /** Rows with aligned columns, two blanks apart; the last column isn't padded. */
  table(rows: readonly (readonly Cell[])[], indent = ''): void {
    const cells = rows.map((row) => row.map((cell) => styled(cell)));
    const widths: number[] = [];
    for (const row of cells) {
      row.forEach((cell, column) => {
        widths[column] = Math.max(widths[column] ?? 0, cell.width);
      });
    }
    for (const row of cells) {
      const padded = row.map((cell, column) =>
        column === row.length - 1
          ? cell.text
          : cell.text + ' '.repeat((widths[column] ?? 0) - cell.width),
      );
      this.#chunks.push(indent + padded.join('  ').trimEnd(), '\n');
    }
  }

  /** Text of several lines from outside (a file, a diff): its newlines and tabs stay. */
  block(text: string): void {
    this.#chunks.push(escapeBlock(text), text === '' || text.endsWith('\n') ? '' : '\n');
  }

  /** As it is: scripts we generate, and bytes that were asked for as such. */
  raw(content: string | Uint8Array): void {
    this.#chunks.push(content);
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  content(): string | Uint8Array {
    if (this.#chunks.every((chunk) => typeof chunk === 'string')) return this.#chunks.join('');
    return Buffer.concat(
      this.#chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)),
    );
  }
}

function join(strings: readonly string[], values: readonly unknown[]): string {
  let text = strings[0] ?? '';
  values.forEach((value, index) => {
    text += styled(value).text + (strings[index + 1] ?? '');
  });
  return text;
}

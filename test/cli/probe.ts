/**
 * Commands that misbehave on purpose, run by the real `main` in a real process: what the
 * base class owes to every command is seen best where the command does little.
 */
import { Args, Flags, Outcome, WnCommand, type CommandClass } from '../../src/cli/command.js';
import type { Context } from '../../src/cli/context.js';
import { main } from '../../src/cli/main.js';
import type { TextOutput } from '../../src/cli/output.js';
import { oclifConfig } from '../../src/cli/run.js';
import { EXIT, WnError } from '../../src/core/errors.js';

type Plain = Readonly<Record<string, unknown>>;

const BIG_LINES = 200_000;
const BIG_LINE = 'x'.repeat(52);

class Probe extends WnCommand<typeof Probe, Plain> {
  static override readonly summary = 'Misbehave';
  static override readonly args = { what: Args.string({ required: true }) };
  static override readonly flags = { number: Flags.integer({ min: 1 }) };
  static override readonly trailing = 'WORD';

  protected async execute(): Promise<Plain | Outcome<Plain> | undefined> {
    const act = acts[this.args.what];
    if (act === undefined) throw new WnError('usage', `no such probe: ${this.args.what}`);
    return act(this);
  }

  protected render(result: Plain, out: TextOutput): void {
    if (result['lines'] !== undefined) {
      for (let index = 0; index < Number(result['lines']); index++) out.line(BIG_LINE);
    } else {
      for (const [key, value] of Object.entries(result)) out.line`${key}: ${value}`;
    }
  }

  echo(): Plain {
    return { flags: this.flags, trailing: this.trailing, cwd: this.context.cwd };
  }

  async stream(): Promise<undefined> {
    for (let index = 0; index < 3; index++) await this.print({ index });
    return undefined;
  }

  async forever(): Promise<undefined> {
    while (!this.context.interruption.signal.aborted) await this.print({ x: BIG_LINE });
    return undefined;
  }

  async wait(): Promise<Plain> {
    const { interruption, stderr } = this.context;
    for (const name of ['first', 'second']) {
      interruption.onInterrupt(() => stderr.write(`cleaned up ${name}\n`));
    }
    await this.announce({ ready: true }, 'ready');
    await new Promise<void>((resolve) => {
      const alive = setInterval(() => undefined, 1_000);
      interruption.signal.addEventListener('abort', () => {
        clearInterval(alive);
        resolve();
      });
    });
    return { waited: true };
  }

  async deaf(): Promise<undefined> {
    setInterval(() => undefined, 1_000);
    await this.announce({ ready: true }, 'ready');
    return new Promise(() => undefined);
  }

  session(): Plain {
    const { stderr, shared } = this.context;
    shared.session = {
      sync: () => Promise.resolve(),
      flush: () => Promise.resolve(),
      close: () => stderr.write('closed\n'),
    };
    return { opened: true };
  }

  lost(): Plain {
    this.context.shared.session = {
      sync: () => Promise.resolve(),
      flush: () => Promise.resolve(),
      close: () => Promise.reject(new WnError('disk_full', 'the disk is full')),
    };
    return { recorded: true };
  }

  async remark(): Promise<Plain> {
    await this.notice('a remark\u001b[31m');
    return { done: true };
  }
}

type Act = (probe: Probe) => Plain | Outcome<Plain> | undefined | Promise<Plain | undefined>;

const acts: Readonly<Record<string, Act>> = {
  echo: (probe) => probe.echo(),
  stream: (probe) => probe.stream(),
  forever: (probe) => probe.forever(),
  wait: (probe) => probe.wait(),
  deaf: (probe) => probe.deaf(),
  session: (probe) => probe.session(),
  lost: (probe) => probe.lost(),
  remark: (probe) => probe.remark(),
  big: () => ({ lines: BIG_LINES }),
  'big-json': () => ({ text: 'y'.repeat(10_000_000) }),
  types: () => ({
    small: 7n,
    large: 2n ** 70n,
    bytes: Uint8Array.of(0xca, 0xfe),
    buffer: Buffer.from('ok'),
    set: new Set(['b', 'a']),
    map: new Map([['k', 1]]),
    absent: undefined,
  }),
  hostile: () => ({ name: 'a\u001b]0;owned\u0007\n\u202egnp.exe' }),
  'hostile-error': () => {
    throw new WnError('invalid', 'bad name: \u001b[2J\u009b31m', { hint: 'not\nthis' });
  },
  partly: () => new Outcome({ remotes: 2 }, EXIT.partly, 'one of 2 remotes failed'),
  damage: () => {
    throw new WnError('damage', 'damage found', { result: { problems: 1 } });
  },
  owned: () => {
    throw new WnError('fenced', 'a3 holds it', { hint: 'claim again', details: { owner: 'a3' } });
  },
  bug: () => {
    const nothing = undefined as unknown as { readonly field: number };
    return { value: nothing.field };
  },
  'system-error': () => {
    throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', syscall: 'write' });
  },
};

const find = (argv: readonly string[], context: Context) => {
  Probe.id = 'probe';
  const commandClass = Probe as unknown as CommandClass;
  const command = new commandClass([...argv], oclifConfig(), context);
  return Promise.resolve({ id: 'probe', command, class: commandClass });
};

void main(process.argv.slice(2), find);

/** Makes a ticket: one line that lets another device join. */
import { resolve } from 'node:path';
import { Flags, WnCommand } from '../cli/command.js';
import type { TextOutput } from '../cli/output.js';
import { openRepository } from '../cli/repository.js';
import { issueTicket, writeTicket } from '../cli/membership.js';
import { showId } from '../core/ids.js';

interface InviteResult {
  /** Null where it was written to a file. */
  readonly ticket: string | null;
  readonly cap: string;
  readonly addresses: readonly string[];
  readonly file: string | null;
  readonly expires: string | null;
  readonly warnings: readonly string[];
}

const DAY_MS = 86_400_000;

export default class Invite extends WnCommand<typeof Invite, InviteResult> {
  static override readonly summary = 'Make a ticket for another device';
  static override readonly description =
    'Whoever has the line may join with the rights it names, any number of devices, until it ' +
    'expires; then the membership of those who joined with it ends, too. It is a secret: --out writes it to a file that only you can read. `write` means ' +
    'read, create, write and delete; other rights are named one by one.';
  static override readonly flags = {
    act: Flags.string({
      default: 'write',
      helpValue: 'A,…',
      description: 'The rights: read, write, strong, … (write).',
    }),
    path: Flags.string({ helpValue: 'PATH', description: 'Only what was made below this folder.' }),
    expires: Flags.duration({
      default: 7 * DAY_MS,
      description: 'How long it holds, with what it gave (7d); 0 is for ever.',
    }),
    via: Flags.string({
      multiple: true,
      helpValue: 'ADDRESS',
      description: 'Where the workspace can be fetched.',
    }),
    out: Flags.string({
      helpValue: 'FILE',
      description: 'Write the ticket there, readable by you alone.',
    }),
    name: Flags.string({
      helpValue: 'NAME',
      description: "The workspace's name as the ticket shows it.",
    }),
  };
  static override readonly examples = [
    'wn invite --act write --via /media/stick/notes --out ticket',
  ];
  static override readonly result = '{ticket, cap, addresses}';

  protected async execute(): Promise<InviteResult> {
    const repository = await openRepository(this.context);
    const { act, path, expires, via, out, name } = this.flags;
    const issued = await issueTicket(repository, {
      act,
      path: path === undefined ? null : repository.path(path),
      expiresMs: expires === 0 ? null : expires,
      via: via ?? [],
      name: name ?? null,
    });
    const file = out === undefined ? null : resolve(this.context.cwd, out);
    if (file !== null) writeTicket(file, issued.ticket);
    return {
      ticket: file === null ? issued.ticket : null,
      cap: showId(issued.cap),
      addresses: issued.addresses,
      file,
      expires: issued.expires,
      warnings: issued.warnings,
    };
  }

  protected render(result: InviteResult, out: TextOutput): void {
    if (result.ticket !== null) out.line(result.ticket);
    else out.line`ticket written to ${result.file ?? ''}`;
    for (const warning of result.warnings) out.line`${out.style.yellow('!')} ${warning}`;
  }
}

/** Makes a workspace of a folder of ordinary files. */
import { Args, Flags, WnCommand } from '../cli/command.js';
import type { TextOutput } from '../cli/output.js';
import { makeWorkspace, type Made } from '../cli/birth.js';
import { counted } from '../cli/counted.js';
import { startProgress } from '../cli/progress.js';
import { openRepository } from '../cli/repository.js';
import { showDevice, showId } from '../core/ids.js';
import type { Refused } from '../tree/scan.js';

interface InitResult {
  readonly workspace: string;
  readonly device: string;
  readonly name: string;
  readonly path: string;
  /** What the first commit would take. */
  readonly tracked: { readonly files: number; readonly bytes: number };
  readonly refused: readonly Refused[];
  /** Where the recovery key was written; null if there is none. */
  readonly recoveryKey: string | null;
}

export default class Init extends WnCommand<typeof Init, InitResult> {
  static override readonly summary = 'Make a workspace of a folder';
  static override readonly description =
    'The files stay where they are; nothing is committed yet. Says what the first commit will ' +
    'take and what it will leave out. On a terminal a recovery key is written beside the folder: ' +
    'whoever holds it can take the workspace back when every device is lost.';
  static override readonly args = {
    dir: Args.string({ description: 'The folder; made if missing. Default: this one.' }),
  };
  static override readonly flags = {
    name: Flags.string({
      helpValue: 'NAME',
      description: "The workspace's name. Default: the folder's.",
    }),
    'recovery-key': Flags.string({
      helpValue: 'FILE',
      exclusive: ['no-recovery-key'],
      description: 'Write the recovery key there; outside the workspace.',
    }),
    'no-recovery-key': Flags.boolean({ description: 'Make no recovery key.' }),
    here: Flags.boolean({ description: 'At the top of a Git work tree, too.' }),
  };
  static override readonly examples = ['cd ~/runbooks && wn init', 'wn init notes --name notes'];
  static override readonly result =
    '{workspace, device, name, path, tracked, refused, recoveryKey}';

  protected async execute(): Promise<InitResult> {
    const { flags } = this;
    const made: Made = await makeWorkspace(this.context, {
      folder: this.args.dir ?? '.',
      name: flags.name ?? null,
      recoveryKey: flags['recovery-key'] ?? null,
      noRecoveryKey: flags['no-recovery-key'],
      here: flags.here,
    });
    this.context = { ...this.context, cwd: made.location.root };
    const { work, replica } = await openRepository(this.context);
    const progress = startProgress(this.context, 'looking');
    const status = await work.status(undefined, (files) => {
      progress.update(files);
    });
    await progress.end();
    return {
      workspace: showId(replica.ws),
      device: showDevice(replica.device),
      name: replica.config.name,
      path: made.location.root,
      tracked: { files: status.files, bytes: status.bytes },
      refused: status.refused,
      recoveryKey: made.recoveryKey,
    };
  }

  protected render(result: InitResult, out: TextOutput): void {
    const { tracked, refused, recoveryKey, name } = result;
    const parts = [`${counted(tracked.files, 'file')}, ${sizeText(tracked.bytes)}`];
    if (refused.length > 0) parts.push(`refused: ${refused.map(({ path }) => path).join(', ')}`);
    out.line`${out.style.bold(name)}: ${parts.join('; ')}`;
    if (recoveryKey !== null) out.line`recovery key: ${recoveryKey} (keep it somewhere else)`;
    out.line('next: wn commit -m import');
  }
}

function sizeText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000
    ? `${Math.round(bytes / 1_000)} KB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

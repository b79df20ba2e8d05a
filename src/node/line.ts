/** A connection to a remote, as a transport gives it. */
import type { WnError } from '../core/errors.js';
import type { SecureChannel } from '../core/ports.js';

export interface Line {
  readonly channel: SecureChannel;
  /**
   * Once the channel is closed: why the other side was never reached, in the words of the
   * transport, which knows more than that the line broke; null where it was reached.
   */
  fault(): Promise<WnError | null>;
  /** Once the channel is closed: when the other side has done all it does after a session. */
  gone(): Promise<void>;
}

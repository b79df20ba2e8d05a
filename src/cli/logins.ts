/** Logins to hosts that may ask the user something: one at a time, since there is one terminal. */
import type { SecureChannel } from '../core/ports.js';

export class Logins {
  private last: Promise<void> = Promise.resolve();

  /**
   * Runs `work`. Where it `mayAsk`, it begins when the login before it is through: that is
   * when the other side has said something over the channel that went through `through`, or
   * its work is done.
   */
  async oneAtATime<T>(
    mayAsk: boolean,
    work: (through: (channel: SecureChannel) => SecureChannel) => Promise<T>,
  ): Promise<T> {
    if (!mayAsk) return work((channel) => channel);
    const before = this.last;
    let leave: () => void = () => undefined;
    this.last = new Promise((resolve) => (leave = resolve));
    await before;
    try {
      return await work((channel) => heard(channel, leave));
    } finally {
      leave();
    }
  }
}

/** The channel; `tell` is called with each frame that comes. */
function heard(channel: SecureChannel, tell: () => void): SecureChannel {
  return {
    peer: channel.peer,
    send: (frame) => channel.send(frame),
    close: () => channel.close(),
    async *frames() {
      for await (const frame of channel.frames()) {
        tell();
        yield frame;
      }
    },
  };
}

/** Who wrote something, and when, as `--json` tells it and as people read it. */
import { showHlc, showTime, stampLog, stampTime, type Hlc, type Stamp } from '../core/hlc.js';
import { showDevice, type DeviceId, type LogId } from '../core/ids.js';
import type { Replica } from '../repo/replica.js';

export interface Authorship {
  /** `did:key:…` */
  readonly by: string;
  readonly byName: string | null;
  readonly hlc: string;
  readonly time: string;
}

export function authorship(replica: Replica, at: Stamp): Authorship {
  const { device, deviceName } = authorOf(replica, stampLog(at));
  const time = stampTime(at);
  return { by: device, byName: deviceName, hlc: showHlc(time), time: showTime(time) };
}

export interface Author {
  readonly device: string;
  readonly deviceName: string | null;
}

export function authorOf(replica: Replica, log: LogId): Author {
  return deviceShown(replica, replica.history.log(log)?.dev ?? '');
}

export function deviceShown({ authority }: Replica, device: DeviceId): Author {
  return { device: showDevice(device), deviceName: authority.deviceOf(device).name };
}

/** A device in a line of text: its name, or the end of its key. */
export function authorName(device: string, name: string | null): string {
  return name ?? device.slice(-8);
}

/** `2026-11-20 10:00Z`: to the minute, for tables. */
export function minuteOf(time: Hlc): string {
  return shortTime(showTime(time));
}

export function shortTime(isoTime: string): string {
  return isoTime.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):.*Z$/, '$1 $2Z');
}

/**
 * Bundles: an exchange in one file, for where there is no connection. The frames are
 * those of a session; the reader needs no right shown, since every commit is verified on
 * the way in and judged like any other.
 *
 *   bundle  = "wn-bundle/1\n" record…           records as in segments (`core/frame.ts`)
 *   records = BUNDLE HAVE… (RUNS | PART)… BLOB… DONE
 *
 * HAVE tells what the reader must hold already; DONE counts, and carries the digest of
 * everything before it. Leaves out files: bytes come and go as chunks.
 */
import { concat, equalBytes, fromHex, toHex, utf8 } from '../core/bytes.js';
import { WnError } from '../core/errors.js';
import { encodeRecord, RECORD_HEAD_BYTES, readRecord } from '../core/frame.js';
import { SYNC_CREDIT_BYTES, SYNC_FRAME_BYTES_MAX } from '../core/limits.js';
import { decodeMessage } from './decode.js';
import { bound, chained, NO_FRAMES } from './digest.js';
import type { Chunk } from './effects.js';
import { encodeMessage, type Blob, type Done, type Message } from './frames.js';
import { compare, EMPTY_VECTOR, vectorOf } from './have.js';
import { HaveReader, havePages } from './havepages.js';
import { Assembly, packBlobs, packRuns } from './pack.js';
import type { BundleSource, HaveEntry, Rejection, Run, SyncStore } from './store.js';

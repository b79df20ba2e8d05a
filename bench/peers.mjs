/** Types a trace into one peer, in memory, in a process of its own; prints milliseconds. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const [peer, file] = process.argv.slice(2);
const trace = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'));
const patches = trace.txns.flatMap((txn) => txn.patches);

const PEERS = {
  async loro() {
    const { LoroDoc } = await import('loro-crdt');
    const doc = new LoroDoc();
    const text = doc.getText('text');
    return () => {
      for (const [pos, del, ins] of patches) {
        if (del > 0) text.delete(pos, del);
        if (ins !== '') text.insert(pos, ins);
      }
      doc.commit();
      return text.toString();
    };
  },
  async yjs() {
    const Y = await import('yjs');
    const doc = new Y.Doc();
    const text = doc.getText('text');
    return () => {
      for (const [pos, del, ins] of patches) {
        if (del > 0) text.delete(pos, del);
        if (ins !== '') text.insert(pos, ins);
      }
      return text.toString();
    };
  },
  async automerge() {
    const A = await import('@automerge/automerge');
    let doc = A.from({ text: '' });
    return () => {
      doc = A.change(doc, (draft) => {
        for (const [pos, del, ins] of patches) A.splice(draft, ['text'], pos, del, ins);
      });
      return doc.text;
    };
  },
};

const type = await PEERS[peer]();
const started = performance.now();
const text = type();
const ms = performance.now() - started;
if (text !== trace.endContent) throw new Error(`${peer} ends elsewhere`);
console.log(ms);

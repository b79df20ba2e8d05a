import { encodeCanonical, decodeCanonical } from '/work/main/src/core/canonical.js';
for (const v of [3, 3n, 1.5, -0, 0, '日本', [1,'a'], 2**53, -5, -5n, 1e300, 0.1, 2**40, 2n**62n, 115816899162800131n, 20n, 65536*4+0.5, 3.5e8, NaN] as any[]) {
  try { const b = encodeCanonical(v); decodeCanonical(b); } catch (e) { console.log(String(v), typeof v, (e as Error).message); }
}

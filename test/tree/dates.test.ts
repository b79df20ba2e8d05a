import assert from 'node:assert/strict';
import { parseDate, parseSpan } from '../../src/tree/dates.js';

const HOUR = 3_600_000;

describe('tree/dates', () => {
  const noon = Date.UTC(2026, 10, 20, 12);
  for (const [text, ms] of [
    ['2026-11-20', noon - 12 * HOUR],
    ['2026-11-20T12:00', noon],
    ['2026-11-20 12:00', noon],
    ['2026-11-20T12:00Z', noon],
    ['2026-11-20T12:00:30Z', noon + 30_000],
    ['2026-11-20T12:00:30.5Z', noon + 30_500],
    ['2026-11-20T12:00:30.123456Z', noon + 30_123],
    ['2026-11-20T12:00+02:00', noon - 2 * HOUR],
    ['2026-11-20T12:00-0530', noon + 5.5 * HOUR],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    ['0001-01-01', -62_135_596_800_000],
  ] as const) {
    it(`reads ${text}`, () => assert.equal(parseDate(text), ms));
  }

  const wrong = [
    '',
    '1',
    '2026',
    '2026-11',
    '2026-13-01',
    '2026-02-30',
    '2025-02-29',
    '2026-11-20T25:00',
  ];
  for (const text of [
    ...wrong,
    '2026-11-20T',
    '20.11.2026',
    'tomorrow',
    '2026-11-20x',
    '2026-00-10',
  ]) {
    it(`takes ${JSON.stringify(text)} for no date`, () => assert.equal(parseDate(text), null));
  }

  for (const [text, ms] of [
    ['7d', 7 * 24 * HOUR],
    ['2w', 14 * 24 * HOUR],
    ['1h30m', 1.5 * HOUR],
    ['500ms', 500],
    ['1.5h', 1.5 * HOUR],
    ['2h ago', -2 * HOUR],
  ] as const) {
    it(`reads ${text}`, () => assert.equal(parseSpan(text), ms));
  }

  for (const text of ['', '7', 'd', '7 d', '-7d', '7d  ago', '7y', '1h 30m', '12345678901d']) {
    it(`takes ${JSON.stringify(text)} for no span`, () => assert.equal(parseSpan(text), null));
  }
});

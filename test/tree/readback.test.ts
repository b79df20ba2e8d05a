import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Crdt, Field, FieldShown, FieldValue } from '../../src/tree/field.js';
import { parseFrontMatter } from '../../src/tree/frontmatter.js';
import { render } from '../../src/tree/overlay.js';
import { readBack, type ReadBack } from '../../src/tree/readback.js';
import { documents, fieldMaps, fieldsOf, NO_SCHEMA, textEdits } from './gen.js';

const register = (value: FieldValue): Field => ({ crdt: 'register', value });

function save(
  doc: string,
  fields: Record<string, FieldShown>,
  edit: (file: string) => string,
  declared: Record<string, Crdt> = {},
): ReadBack & { file: string } {
  const projection = render(doc, new Map(Object.entries(fields)));
  const file = edit(projection.text);
  const schema = { crdtOf: (_path: string, key: string) => declared[key] ?? null };
  return { ...readBack('a.md', projection, doc, file, schema), file };
}

const replace =
  (from: string, to: string) =>
  (file: string): string => {
    assert.ok(file.includes(from), `${JSON.stringify(from)} in ${file}`);
    return file.replace(from, to);
  };

describe('tree/readback: laws', () => {
  it('a file that is as it was written gives the document and no edits', () => {
    fc.assert(
      fc.property(documents, fieldMaps, (doc, fields) => {
        const projection = render(doc, fields);
        const read = readBack('a.md', projection, doc, projection.text, NO_SCHEMA);
        assert.equal(read.docText, doc);
        assert.deepEqual(read.fields, { set: new Map(), unset: new Set() });
      }),
    );
  });

  it('what a user saved is what every device shows, byte for byte', () => {
    let saves = 0;
    fc.assert(
      fc.property(
        documents,
        fieldMaps,
        fc.array(textEdits, { minLength: 1, maxLength: 3 }),
        (doc, fields, edits) => {
          fc.pre(parseFrontMatter(doc).ok);
          const projection = render(doc, fields);
          const file = edits.reduce((text, edit) => edit(text), projection.text);
          const matter = parseFrontMatter(file);
          fc.pre(matter.ok && matter.repeated.length === 0);
          const { docText, shown } = readBack('a.md', projection, doc, file, NO_SCHEMA);
          assert.equal(render(docText, shown).text, file);
          saves++;
        },
      ),
      { numRuns: 1_000 },
    );
    assert.ok(saves > 300, `only ${saves} saves were looked at`);
  });

  it('a file whose front matter broke is committed as it is', () => {
    fc.assert(
      fc.property(documents, fieldMaps, textEdits, (doc, fields, edit) => {
        const projection = render(doc, fields);
        const file = edit(projection.text);
        fc.pre(!parseFrontMatter(file).ok && file !== projection.text);
        const { docText, fields: edits } = readBack('a.md', projection, doc, file, NO_SCHEMA);
        assert.equal(docText, file);
        assert.equal(edits.unset.size, 0);
      }),
      { numRuns: 250 },
    );
  });

  it('a change of values alone leaves the document alone', () => {
    fc.assert(
      fc.property(documents, fieldMaps, fieldMaps, (doc, fields, others) => {
        const matter = parseFrontMatter(doc);
        fc.pre(matter.ok && matter.repeated.every(({ key }) => fields.has(key)));
        const changed = new Map(fields);
        for (const [key, shown] of fields) {
          const other = others.get(key);
          if (shown === 'unset' || other === undefined || other === 'unset') continue;
          if (other.crdt === shown.crdt) changed.set(key, other);
        }
        const projection = render(doc, fields);
        const { text: file } = render(doc, changed);
        const { docText } = readBack('a.md', projection, doc, file, NO_SCHEMA);
        assert.equal(docText, doc);
      }),
      { numRuns: 500 },
    );
  });

  it('an edit of the body leaves the front matter of the document alone', () => {
    fc.assert(
      fc.property(documents, fieldMaps, fc.string(), (doc, fields, tail) => {
        const matter = parseFrontMatter(doc);
        fc.pre(matter.ok && matter.block !== null && doc[matter.block.bodyStart - 1] === '\n');
        const projection = render(doc, fields);
        const file = projection.text + tail;
        const read = readBack('a.md', projection, doc, file, NO_SCHEMA);
        assert.equal(read.docText, doc + tail);
      }),
      { numRuns: 300 },
    );
  });

  it('the edits, made to the fields before, give the fields that the file shows', () => {
    fc.assert(
      fc.property(documents, fieldMaps, textEdits, (doc, fields, edit) => {
        const projection = render(doc, fields);
        const file = edit(projection.text);
        const { fields: edits, shown } = readBack('a.md', projection, doc, file, NO_SCHEMA);
        const made = new Map<string, FieldShown>([...fields, ...edits.set]);
        for (const key of edits.unset) made.set(key, 'unset');
        assert.deepEqual(shown, made);
        if (!parseFrontMatter(doc).ok || !parseFrontMatter(file).ok) return;
        for (const [key, field] of fieldsOf(file, fields)) {
          assert.deepEqual(fieldsOf(file, shown).get(key), field);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('tree/readback: one save', () => {
  const doc = '---\nstatus: todo # why\ntitle: "A"\n---\nText\n';
  const fields = { status: register('todo'), title: register('A') };

  it('a changed value is a field edit and no edit of text', () => {
    const read = save(doc, fields, replace('todo', 'doing'));
    assert.equal(read.docText, doc);
    assert.deepEqual(read.fields, {
      set: new Map([['status', register('doing')]]),
      unset: new Set(),
    });
  });

  it('a changed value under one that was laid over keeps the old text below', () => {
    const read = save(doc, { ...fields, status: register('doing') }, replace('doing', 'done'));
    assert.equal(read.docText, doc);
    assert.deepEqual([...read.fields.set], [['status', register('done')]]);
  });

  it('new quotes are text and no field edit', () => {
    const read = save(doc, fields, replace('todo', "'todo'"));
    assert.equal(read.docText, doc.replace('todo', "'todo'"));
    assert.equal(read.fields.set.size, 0);
  });

  it('a changed comment is text and no field edit', () => {
    const read = save(doc, { ...fields, status: register('done') }, replace('# why', '# how'));
    assert.equal(read.docText, doc.replace('# why', '# how'));
    assert.equal(read.fields.set.size, 0);
  });

  it('a moved line takes the text below along', () => {
    const moved = (file: string): string =>
      file.replace('status: done # why\ntitle: "A"\n', 'title: "A"\nstatus: done # why\n');
    const read = save(doc, { ...fields, status: register('done') }, moved);
    assert.equal(read.docText, '---\ntitle: "A"\nstatus: todo # why\n---\nText\n');
    assert.equal(read.fields.set.size + read.fields.unset.size, 0);
  });

  it('a removed line is removed and its field unset', () => {
    const read = save(doc, fields, replace('status: todo # why\n', ''));
    assert.equal(read.docText, '---\ntitle: "A"\n---\nText\n');
    assert.deepEqual([...read.fields.unset], ['status']);
  });

  it('a new line is text and a field', () => {
    const read = save(doc, fields, replace('---\nText', 'due: 2026-11-20\n---\nText'));
    assert.equal(read.docText, read.file);
    assert.deepEqual([...read.fields.set], [['due', register('2026-11-20')]]);
  });

  it('a value of a line that only the overlay has is no text', () => {
    const read = save(doc, { ...fields, due: register('x') }, replace('due: x', 'due: y'));
    assert.equal(read.docText, doc);
    assert.deepEqual([...read.fields.set], [['due', register('y')]]);
  });

  it('a comment on a line that only the overlay has makes it text', () => {
    const read = save(doc, { ...fields, due: register('x') }, replace('due: x', 'due: x # soon'));
    assert.equal(read.docText, read.file);
    assert.equal(read.fields.set.size, 0);
  });

  it('a line typed below those of the overlay makes text of the ones above it', () => {
    const typed = replace('---\nText', 'm: 1\n---\nText');
    const read = save(doc, { ...fields, a: register('x') }, typed);
    assert.equal(read.docText, read.file);
    assert.deepEqual([...read.fields.set], [['m', register(1)]]);
  });

  it('a value in front matter that only the overlay has is no text', () => {
    const read = save('Text\n', { status: register('todo') }, replace('todo', 'done'));
    assert.equal(read.docText, 'Text\n');
    assert.deepEqual([...read.fields.set], [['status', register('done')]]);
  });

  it('front matter that is removed unsets its fields', () => {
    const read = save(doc, { ...fields, due: register('x') }, () => 'Text\n');
    assert.equal(read.docText, 'Text\n');
    assert.deepEqual([...read.fields.unset].sort(), ['due', 'status', 'title']);
  });

  it('hidden lines stay where the lines around them do', () => {
    const twice = '---\na: 1\nstatus: x\nb: 2\nstatus: y\nc: 3\n---\n';
    const shown = { a: register(1), b: register(2), c: register(3), status: register('y') };
    const read = save(twice, shown, replace('c: 3', 'c: 3 # note'));
    assert.equal(read.docText, twice.replace('c: 3', 'c: 3 # note'));
  });

  it('a line typed again for an unset field shows where it was typed', () => {
    const hidden = '---\nstatus: x\nb: 2\n---\n';
    const read = save(
      hidden,
      { status: 'unset', b: register(2) },
      replace('b: 2\n', 'b: 2\nstatus: z\n'),
    );
    assert.equal(render(read.docText, read.shown).text, '---\nb: 2\nstatus: z\n---\n');
    assert.deepEqual([...read.fields.set], [['status', register('z')]]);
  });

  it('a list is no field unless something says so', () => {
    const list = '---\nl: [a]\n---\n';
    assert.equal(save(list, {}, replace('[a]', '[b]')).fields.set.size, 0);
    assert.deepEqual(
      [...save(list, {}, replace('[a]', '[b, b]'), { l: 'set' }).fields.set],
      [['l', { crdt: 'set', value: ['b', 'b'] }]],
    );
    assert.deepEqual(
      [...save(list, { l: register(['a']) }, replace('[a]', '[b]')).fields.set],
      [['l', register(['b'])]],
    );
  });

  it('a counter that is no number becomes a register', () => {
    const votes: Record<string, FieldShown> = { votes: { crdt: 'counter', value: 3 } };
    const read = save('---\nvotes: 3\n---\n', votes, replace('3', '4'));
    assert.deepEqual([...read.fields.set], [['votes', { crdt: 'counter', value: 4 }]]);
    const word = save('---\nvotes: 3\n---\n', votes, replace('3', 'many'));
    assert.deepEqual([...word.fields.set], [['votes', register('many')]]);
  });

  it('a file that has no front matter by its name is all text', () => {
    const projection = { text: 'a: 1\n', segments: [], fields: new Map() };
    const read = readBack('a.yaml', projection, 'a: 1\n', 'a: 2\n', NO_SCHEMA);
    assert.equal(read.docText, 'a: 2\n');
    assert.equal(read.fields.set.size, 0);
  });
});

describe('tree/readback: front matter that does not parse', () => {
  const doc = '---\nstatus: todo\ntitle: A\n---\nText\n';
  const fields = { status: register('doing'), title: register('A') };

  it('a half-typed quote leaves every field as it was', () => {
    const read = save(doc, fields, replace('title: A', 'title: "A'));
    assert.equal(read.docText, read.file);
    assert.deepEqual(read.fields, { set: new Map(), unset: new Set() });
  });

  it('a readable change beside it counts', () => {
    const broken = (file: string): string =>
      file.replace('title: A', 'title: "A').replace('doing', 'done');
    const read = save(doc, fields, broken);
    assert.deepEqual([...read.fields.set], [['status', register('done')]]);
  });

  it('a removed closing fence leaves every field as it was', () => {
    const read = save(doc, fields, replace('---\nText', 'Text'));
    assert.equal(read.docText, read.file);
    assert.deepEqual(read.fields, { set: new Map(), unset: new Set() });
  });

  it('mending it sets what was changed, not what is out of date there', () => {
    const merged = '---\nstatus: todo\ntitle: "A\n---\nText\n';
    const read = save(merged, fields, replace('"A', '"B"'));
    assert.deepEqual([...read.fields.set], [['title', register('B')]]);
    assert.match(render(read.docText, read.shown).text, /status: doing\n/);
  });

  it('mending it sets keys that were typed while it was broken', () => {
    const broken = '---\nstatus: doing\ntitle: "A\nnew: 1\n---\nText\n';
    const read = save(broken, fields, replace('"A', 'A'));
    assert.deepEqual([...read.fields.set.keys()].sort(), ['new', 'title']);
  });
});

#!/usr/bin/env node
'use strict';

const { load } = require('./load.js');

const { program, keepCache } = load();
// The promise isn't rejected: whatever happens becomes an exit code.
void program.main(process.argv.slice(2)).then(keepCache);

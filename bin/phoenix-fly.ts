#!/usr/bin/env node
import { main } from '../src/run/command.ts';

process.exitCode = await main(
  { command: 'npx phoenix-fly', from: process.cwd() },
  process.argv.slice(2).filter((arg) => arg !== '--'),
);

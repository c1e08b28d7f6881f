#!/usr/bin/env node
import { main } from '../src/run/command.ts';

process.exitCode = await main(
  { command: 'npx phoenix-fly', cwd: process.cwd() },
  process.argv.slice(2).filter((word) => word !== '--'),
);

// Types a line at the prompt of a remote shell, as a person would in `fly ssh console --pty`, and prints WANTED when it appears.
// Usage: remote.mjs LINE WANTED COMMAND [ARGUMENTS]
import { spawn } from '@lydell/node-pty';

const [line, wanted, command, ...args] = process.argv.slice(2);
const terminal = spawn(command, args, { cols: 200, rows: 30 });
let seen = '';
let typed = false;
const end = (text) => {
  console.log(text);
  terminal.kill();
  process.exit();
};
terminal.onData((data) => {
  seen += data;
  if (!typed && /iex\(.*\)1> /.test(seen)) {
    typed = true;
    terminal.write(`${line}\r`);
  }
  if (seen.includes(wanted)) end(wanted);
});
terminal.onExit(() => end(seen));
setTimeout(() => end(seen), 20_000);

import { mkdirSync, writeFileSync } from 'node:fs';
import hello from 'hello';

mkdirSync('../priv/static/assets', { recursive: true });
writeFileSync('../priv/static/assets/app.js', `document.title = ${JSON.stringify(hello)};\n`);

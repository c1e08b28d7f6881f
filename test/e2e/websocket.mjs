// Opens a WebSocket as a browser on the site ORIGIN would, sends one message and prints what comes back (or the status).
import { connect } from 'node:net';

const [host, port, origin, message] = process.argv.slice(2);
const socket = connect(Number(port), host, () => {
  socket.write(`GET /live/websocket HTTP/1.1\r\nHost: shop.fly.dev\r\nX-Forwarded-Proto: https\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: ${origin}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`);
});
socket.setTimeout(10_000, () => process.exit(1));
let upgraded = false;
socket.on('data', (data) => {
  if (upgraded) {
    console.log(data.subarray(2).toString());
    process.exit(0);
  }
  const [, status] = /^HTTP\/1\.1 (\d+)/.exec(data.toString()) ?? [];
  if (status !== '101' || !data.includes('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')) {
    console.log(status);
    process.exit(0);
  }
  upgraded = true;
  // Client frames are masked (RFC 6455); a mask of zeros leaves the text as it is
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | message.length, 0, 0, 0, 0]), Buffer.from(message)]));
});

// A connection on a socket of Node's, for tests: one write a turn, and no more output than the socket takes.
import type net from 'node:net';
import type { Connection, ConnectionHandler } from '../index.ts';

export function bindSocket<C extends Connection>(
  socket: net.Socket,
  make: (events: Pick<ConnectionHandler, 'onClose' | 'onOutput'>) => C,
): C {
  let scheduled = false;
  let full = false;
  const flush = (): void => {
    scheduled = false;
    if (full || socket.destroyed) return;
    socket.cork();
    for (const chunk of connection.takeOutput()) full = !socket.write(chunk) || full;
    socket.uncork();
    if (connection.closed) socket.end();
    else if (!full && connection.outputBytes > 0) schedule();
  };
  const schedule = (): void => {
    if (!scheduled) setImmediate(flush);
    scheduled = true;
  };
  const connection = make({ onOutput: schedule, onClose: schedule });
  schedule();
  socket.on('drain', () => {
    full = false;
    schedule();
  });
  socket.on('data', (bytes) => connection.receive(bytes));
  socket.on('end', () => connection.disconnected(undefined));
  socket.on('error', (error) => connection.disconnected(error.message));
  return connection;
}

import { Transform } from 'node:stream';
import { ArgusError } from '../../domain/errors.ts';

/**
 * Passes bytes through and fails when none pass for `idleMs`, or when their number is not `sizeBytes` at the end.
 */
export function progressStream(what: string, sizeBytes: number, idleMs: number): Transform {
  let passed = 0;
  const timer = setTimeout(() => {
    stream.destroy(
      new ArgusError(
        'ObjectStoreUnreachable',
        `${what}: no byte for ${idleMs / 1_000} s, ${passed} of ${sizeBytes} passed`,
        {
          retryable: true,
        },
      ),
    );
  }, idleMs);
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      passed += chunk.length;
      timer.refresh();
      done(null, chunk);
    },
    flush(done) {
      done(
        passed === sizeBytes
          ? null
          : new ArgusError('ObjectStoreFailed', `${what}: ${passed} bytes came, ${sizeBytes} were announced`, {
              retryable: true,
            }),
      );
    },
    destroy(error, done) {
      clearTimeout(timer);
      done(error);
    },
  });
  return stream;
}

/** What the clients call when something comes. */
export interface Sink<Value> {
  next(value: Value): void;
  error(error: unknown): void;
  complete(): void;
}

/**
 * Makes a loop of callbacks. `begin` is called with them when the loop begins, and what it returns when the loop ends,
 * which it also does when the signal is aborted. Values wait here when the loop is slow: a socket cannot be told to wait.
 */
export async function* iterate<Value>(
  begin: (sink: Sink<Value>) => () => void,
  signal?: AbortSignal,
): AsyncGenerator<Value, void> {
  if (signal?.aborted) return;
  let waiting: Value[] = [];
  let end: { error?: unknown } | undefined;
  let wake = () => {};
  const finish = (how: { error?: unknown }) => {
    end ??= how;
    wake();
  };
  const abort = () => {
    waiting = [];
    finish({});
  };
  const stop = begin({
    next(value) {
      waiting.push(value);
      wake();
    },
    error: (error) => finish({ error }),
    complete: () => finish({}),
  });
  signal?.addEventListener('abort', abort);
  try {
    for (;;) {
      while (waiting.length > 0) yield waiting.shift()!;
      if (end && 'error' in end) throw end.error;
      if (end) return;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    stop();
  }
}

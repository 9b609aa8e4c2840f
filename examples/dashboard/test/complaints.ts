import assert from 'node:assert/strict';
import { afterEach } from 'node:test';

/** Makes a test fail in which a library warns: all three do so when they cannot keep what they were given. */
export function noComplaints(): void {
  const complaints: string[] = [];
  for (const level of ['warn', 'error'] as const) {
    console[level] = (...message: unknown[]) => complaints.push(message.join(' '));
  }
  afterEach(() => assert.deepEqual(complaints.splice(0), []));
}

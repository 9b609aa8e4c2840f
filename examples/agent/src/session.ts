// What an agent must know when it is started again.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** What came of a job: a mutation that says it. */
export interface Outcome {
  mutation: 'completeJob' | 'failJob';
  input: { jobId: string; attempt: number; idempotencyKey: string } & Record<string, unknown>;
}

export interface Kept {
  session?: string;
  /** What came of its last job, if the server may not have it yet. */
  outcome?: Outcome;
}

/** What a file has. */
export function read(file: string): Kept {
  if (!existsSync(file)) return {};
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Kept;
  } catch (cause) {
    throw new Error(`${file} cannot be read`, { cause });
  }
}

/** Writes it into a file, as a whole or not at all. */
export function write(file: string, kept: Kept) {
  try {
    writeFileSync(`${file}.new`, JSON.stringify(kept));
    renameSync(`${file}.new`, file);
  } catch (cause) {
    throw new Error(`${file} cannot be written`, { cause });
  }
}

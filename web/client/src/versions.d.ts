import type { Result, SessionState } from './index.js';

export interface Version {
  readonly taskId: string;
  /** The version that this one was made from. */
  readonly base?: string;
  /** The person's own text, from which the first one was made. */
  readonly draft: string;
  /** What this one was made from: the draft, or an earlier version. */
  readonly asked: string;
  readonly feedback: string;
  /** With what the person has changed in it. */
  readonly text: string;
  readonly result: Result;
}

/** The last ten; can be kept as JSON. */
export interface Versions {
  readonly list: readonly Version[];
  /** Index of the one that is shown. */
  readonly at: number;
  /** Whether the newest one waits to be kept or taken back. */
  readonly undecided: boolean;
  /** What is being written about what should change. */
  readonly wish?: string;
}

export const NO_VERSIONS: Versions;
/** A result has come, of a task that may be here already. */
export function withResult(versions: Versions, state: SessionState): Versions;
/** Another one is shown. */
export function withShown(versions: Versions, taskId: string): Versions;
/** The one that is shown was edited. */
export function withText(versions: Versions, text: string): Versions;
/** The newest one goes, and the one that it was made from is shown. */
export function takenBack(versions: Versions): Versions;

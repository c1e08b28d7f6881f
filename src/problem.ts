import { getSystemErrorMap } from 'node:util';

const REASONS: Record<string, string> = {
  EACCES: 'permission denied; check who owns it',
  EPERM: 'not permitted; check who owns it',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ENOENT: 'it does not exist',
  ENOTDIR: 'a file is in the way of a folder',
  EDQUOT: 'the disk quota is used up',
  EISDIR: 'a folder is in the way of a file',
};

/** The only error a user should meet: one line that says what is wrong and what to do. */
export class Problem extends Error {
  override name = 'Problem';

  /** Turns a file-system error into a Problem; any other error passes through unchanged. */
  static from(error: unknown, what: string): Error {
    if (!(error instanceof Error)) return new Error(String(error));
    const { code, errno } = error as NodeJS.ErrnoException;
    const reason = REASONS[code ?? ''] ?? getSystemErrorMap().get(errno ?? 0)?.[1];
    return reason ? new Problem(`${what}: ${reason}`) : error;
  }
}

import { isSafe } from './safe-values.ts';

const MAX_FRAMES = 12;
const MAX_CAUSES = 3;
const FRAME = /^ {4}at (?:(?:async )?(?<fn>[\w$.<>#[\] ]{1,80}) \()?(?:file:\/\/)?(?<file>[^\s()]{1,400}):(?<line>\d{1,7}):\d{1,7}\)?$/;
const SOURCE_FILE = /^(?:node:[\w/]+|[\w@./-]+\.[cm]?[jt]s)$/;

export interface ErrorSummary {
  readonly name: string;
  readonly code?: string;
  /** `function@file:line`, innermost first. */
  readonly frames: readonly string[];
  readonly cause?: ErrorSummary;
}

/**
 * What may be logged of something thrown: class, code, and where in our code. Messages are left out because libraries
 * quote in them what they choked on: a row, a header, a line of input.
 */
export function summariseError(error: unknown, depth = 0): ErrorSummary {
  if (typeof error !== 'object' || error === null) return { name: typeof error, frames: [] };
  const { name, code, cause } = error as { name?: unknown; code?: unknown; cause?: unknown };
  return {
    name: isSafe('error-name', name) ? String(name) : 'Error',
    ...(isSafe('code', code) || isSafe('error-name', code) ? { code: String(code) } : {}),
    frames: framesOf(error),
    ...(cause !== undefined && depth < MAX_CAUSES ? { cause: summariseError(cause, depth + 1) } : {}),
  };
}

function framesOf(error: object): string[] {
  const { stack, message } = error as { stack?: unknown; message?: unknown };
  if (typeof stack !== 'string' || typeof message !== 'string') return [];
  // A message may hold lines that look like frames, so it is cut away first; one that changed since is not to be trusted.
  const start = message === '' ? 0 : stack.indexOf(message);
  if (start < 0) return [];
  const lines = stack.slice(start + message.length).split('\n');
  return lines.flatMap((line) => frameOf(line) ?? []).slice(0, MAX_FRAMES);
}

function frameOf(line: string): string | undefined {
  const { fn, file, line: lineNumber } = FRAME.exec(line)?.groups ?? {};
  if (file === undefined) return undefined;
  const place = placeOf(file.replaceAll('\\', '/'));
  return SOURCE_FILE.test(place) ? `${fn ?? 'anonymous'}@${place}:${lineNumber}` : undefined;
}

/** The path inside a package or workspace folder: where the checkout lies is nobody's business. */
function placeOf(file: string): string {
  const installed = file.lastIndexOf('/node_modules/');
  if (installed >= 0) return file.slice(installed + '/node_modules/'.length);
  return /(?:^|\/)((?:libs|services|infra|scenarios|bench|tools)\/.+)$/.exec(file)?.[1] ?? file.slice(file.lastIndexOf('/') + 1);
}

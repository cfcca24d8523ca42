import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One page, as Argus' own notifications bring it. */
export interface Page {
  readonly state: 'open' | 'closed' | 'note';
  readonly severity: string;
  readonly title: string;
  readonly lines: readonly string[];
}

/** A pager on this machine: takes what the daemon tells, as a webhook would. */
export interface Pager {
  readonly url: string;
  close(): Promise<void>;
}

const longestBody = 100_000;

/** Opens one; `onPage` gets each page when it comes. */
export async function openPager(onPage: (page: Page) => void): Promise<Pager> {
  const server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body = (body + text).slice(0, longestBody);
    });
    request.on('end', () => {
      const page = pageIn(body);
      if (page) onPage(page);
      response.writeHead(page ? 204 : 400).end();
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/page`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** The page in a notification; undefined for anything else. Pure. */
export function pageIn(body: string): Page | undefined {
  try {
    const { data } = JSON.parse(body) as { readonly data?: Partial<Page> };
    if (data?.title === undefined || data.state === undefined) return undefined;
    return { state: data.state, severity: data.severity ?? 'info', title: data.title, lines: data.lines ?? [] };
  } catch {
    return undefined;
  }
}

/** As a telephone would show it. Pure. */
export function renderPage({ state, severity, title, lines }: Page, at: Date): string {
  const mark = state === 'closed' ? 'RESOLVED' : severity.toUpperCase();
  const width = 92;
  const text = [`${at.toTimeString().slice(0, 8)}  ${mark}  ${title}`, ...lines.flatMap((l) => wrapped(l, width))];
  return [`┌${'─'.repeat(width + 2)}`, ...text.map((line) => `│ ${line}`), `└${'─'.repeat(width + 2)}`].join('\n');
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

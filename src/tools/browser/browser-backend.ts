/** One hit of a search. */
export interface SearchResult {
  readonly url: string;
  readonly title: string;
  readonly snippet: string;
  /** Wrapped line of the page at which the passage stands; the page is opened there. */
  readonly line?: number;
}

/** What an address leads to. */
export type BrowserDocument = {
  /** Where it was found in the end; links in it are relative to this. */
  readonly url: string;
  /** Default: what the HTML says, else the host. */
  readonly title?: string;
} & ({ readonly html: string } | { readonly text: string });

/** Where the browser tool searches and reads. What is thrown is told to the model. */
export interface BrowserBackend {
  /** At most `topn` results, the best first. */
  search(query: string, topn: number, signal: AbortSignal): Promise<readonly SearchResult[]>;
  open(url: string, signal: AbortSignal): Promise<BrowserDocument>;
}

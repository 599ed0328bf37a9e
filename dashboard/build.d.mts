export interface BuiltAsset {
  path: string;
  content_type: string;
  gzip: Buffer;
  etag: string;
  size: number;
  later: boolean; // loaded when it is needed, not with the page
}
export const kMaxPageBytes: number;
export function Build(options?: { minify?: boolean }): Promise<BuiltAsset[]>;

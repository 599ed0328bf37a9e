export interface BuiltAsset {
  path: string;
  content_type: string;
  gzip: Buffer;
  etag: string;
  size: number;
}
export const kMaxPageBytes: number;
export function Build(options?: { minify?: boolean }): Promise<BuiltAsset[]>;

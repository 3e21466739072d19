// The shapes of the report on how well each service is instrumented.

export interface Share {
  n: number;
  value: number | null;
  low: number;
  high: number;
}

export interface Sender {
  sdk: string;
  sdk_version: string;
  convention: string;
  spans: number;
  calls: number;
  shares: Record<string, Share>;
}

export interface UnknownModel {
  provider: string;
  model: string;
  calls: number;
}

export interface Advice {
  what: string;
  why: string;
  line: string;
}

export interface Service {
  service: string;
  spans: number;
  calls: number;
  requests: number;
  shares: Record<string, Share>;
  orphans: Share;
  clock_skew: Share;
  lag_ms: number | null;
  repeated_usage: number;
  duplicates: Share;
  unknown_models: UnknownModel[];
  senders: Sender[];
  score: number | null;
  grade: string;
  advice: Advice[];
}

export interface Report {
  services: Service[];
  more: number;
}

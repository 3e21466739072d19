// What the screens ask, as cached queries. Keys start with the project, so switching it refetches.

import { keepPreviousData, useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useFilter, useRange } from "../url";
import { call, currentProject, type Query } from "./client";
import type { Incident, Me, MeasureInfo, Slice, SliceRequest } from "./types";

const CATALOGUE_MS = 300_000;

/** A GET that keeps the last answer on screen while the next one loads. */
export function useGet<T>(path: string, query: Query = {}, options: { enabled?: boolean; refetchMs?: number; staleMs?: number } = {}): UseQueryResult<T> {
  return useQuery<T>({
    queryKey: [currentProject(), path, query],
    queryFn: ({ signal }) => call<T>(path, { query, signal }),
    placeholderData: keepPreviousData,
    enabled: options.enabled ?? true,
    refetchInterval: options.refetchMs ?? false,
    ...(options.staleMs === undefined ? {} : { staleTime: options.staleMs }),
  }) as UseQueryResult<T>;
}

/** Who is signed in, and to which projects. */
export function useMe() {
  return useGet<Me>("/me", {}, { staleMs: CATALOGUE_MS });
}

/** The catalogue of measures. */
export function useMeasures() {
  return useGet<MeasureInfo[]>("/measures", {}, { staleMs: CATALOGUE_MS });
}

/** Incidents, newest first within open and closed. */
export function useIncidents(refetchMs = 10_000) {
  return useGet<Incident[]>("/incidents", {}, { refetchMs });
}

/** The one analytic question. */
export function useSlice(request: SliceRequest, enabled = true): UseQueryResult<Slice> {
  return useQuery<Slice>({
    queryKey: [currentProject(), "slice", request],
    queryFn: ({ signal }) => call<Slice>("/slice", { method: "POST", body: { ...request, from: String(request.from), to: String(request.to) }, signal }),
    placeholderData: keepPreviousData,
    enabled,
  }) as UseQueryResult<Slice>;
}

interface PageSlice {
  by?: string[];
  withSteps?: boolean;
  limit?: number;
  filter?: string;
}

/** A slice over the page's own range and filter. */
export function usePageSlice(measure: string, { by = [], withSteps = true, limit = 20, filter }: PageSlice = {}, enabled = true) {
  const range = useRange();
  const pageFilter = useFilter();
  return useSlice(
    { measure, from: range.fromS, to: range.toS, by, filter: filter ?? pageFilter, step: withSteps ? range.stepS : null, limit },
    enabled,
  );
}

/** Ask again for everything whose path starts so. */
export function useInvalidate(): (path: string) => Promise<void> {
  const client = useQueryClient();
  return (path) => client.invalidateQueries({ queryKey: [currentProject(), path] });
}

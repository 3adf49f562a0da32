/** Short names of the generated bodies. */
import type { components } from "./types.gen.ts";

type Schemas = components["schemas"];

export type Problem = Schemas["Problem"];
export type Me = Schemas["Me"];
export type SeriesSummary = Schemas["SeriesSummary"];
export type SeriesDetail = Schemas["SeriesDetail"];
export type DetectorInfo = Schemas["DetectorInfo"];
export type CatalogPage = Schemas["CatalogPage"];
export type Facet = Schemas["Facet"];
export type Day = Schemas["Day"];
export type SeriesPoints = Schemas["SeriesPoints"];
export type AnomalyPoint = Schemas["AnomalyPoint"];
export type BatchRequest = Schemas["BatchRequest"];
export type BatchResponse = Schemas["BatchResponse"];
export type Period = SeriesSummary["period"];

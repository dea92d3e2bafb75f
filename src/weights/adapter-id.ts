const prefix = "adapter:";

/** Key under which the adapter of a place is stored: one folder may hold a checkpoint as well, whose key is the place itself. */
export const adapterId = (place: string): string => (place.startsWith(prefix) ? place : prefix + place);

/** The place of a stored adapter; older versions stored adapters under the place itself. */
export const placeOfAdapter = (id: string): string => (id.startsWith(prefix) ? id.slice(prefix.length) : id);

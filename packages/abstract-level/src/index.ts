// `abstract-level`: the storage engine as a database of the Level family.
export { DistroLevel, type DistroLevelOptions } from './database.ts';

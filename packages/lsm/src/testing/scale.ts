// How much of a test that could go on for ever is run: DISTROKV_TEST_SCALE=10 runs ten times as much as `npm test`, and DISTROKV_TEST_SEED=1000 begins
// with that seed, where `npm test` begins with 1.

export const scale: number = Number(process.env['DISTROKV_TEST_SCALE'] ?? 1);
export const firstSeed: number = Number(process.env['DISTROKV_TEST_SEED'] ?? 1);

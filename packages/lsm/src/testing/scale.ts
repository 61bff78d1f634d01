// How much of a test that could go on for ever is run: DISTROKV_TEST_SCALE=10 runs ten times as much as `npm test`.

export const scale: number = Number(process.env['DISTROKV_TEST_SCALE'] ?? 1);

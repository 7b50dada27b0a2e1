/**
 * What a node says over its uplink to be known alive, and how often; without a word for `lostMs` the path is taken for dead. ICE would notice, too, by its
 * checks for consent, in three times as long.
 */
export const uplinkBeat = { text: 'alive', everyMs: 1_000, lostMs: 4_500 }

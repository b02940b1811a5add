exports.handler = async (event) => {
  try {
    return {
      ...event,
      enriched: true,
      enrichedAt: Date.now(),
      version: '1.0'
    };
  } catch (error) {
    console.error('Enrichment error:', error);
    throw error;
  }
};

exports.handler = async (event) => {
  try {
    if (!event.data) {
      throw new Error('Invalid data: missing data field');
    }
    return { valid: true, data: event.data };
  } catch (error) {
    console.error('Validation error:', error);
    throw error;
  }
};

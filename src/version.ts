/** samsa's version, as the client reports it to brokers; a test keeps it equal to package.json's. */
export const VERSION = '0.1.0'

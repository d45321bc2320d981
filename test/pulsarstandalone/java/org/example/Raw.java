package org.example;

import org.apache.pulsar.functions.api.Context;
import org.apache.pulsar.functions.api.Function;

/** A function that reads any topic, whatever its schema, and answers with what it got. */
public class Raw implements Function<byte[], byte[]> {
    @Override
    public byte[] process(byte[] input, Context context) {
        return input;
    }
}

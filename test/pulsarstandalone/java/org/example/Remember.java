package org.example;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.pulsar.functions.api.Context;
import org.apache.pulsar.functions.api.Function;

/** A function that keeps state: it counts how often it got a text, and keeps the latest one. */
public class Remember implements Function<String, String> {
    @Override
    public String process(String input, Context context) {
        context.incrCounter("count of " + input, 1);
        context.putState("latest", ByteBuffer.wrap(input.getBytes(StandardCharsets.UTF_8)));
        context.putState("bytes", ByteBuffer.wrap(new byte[] {(byte) 0xff, 0, 1}));
        return context.getCounter("count of " + input) + " " + input;
    }
}

"""Makes a tiny Llama with random weights, its tokenizer and a chat template: a real text model for tests.

Its answers are noise, but it is loaded, tokenised, sampled and served like any other, in under a megabyte
and without a download. The seed fixes the weights; temperature 0 fixes the answers.

    .venv-llm/bin/python scripts/make_tiny_llama.py DIRECTORY
"""

import argparse
from pathlib import Path

import torch
from tokenizers import (  # type: ignore[import-not-found]
    Tokenizer,
    decoders,
    models,
    pre_tokenizers,
    trainers,
)
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

SEED = 20260101
BEGIN, END, PAD = "<s>", "</s>", "<pad>"
SENTENCES = (
    "What is the risk of this loan?",
    "The risk is low, the income is high and the debt is small.",
    "Is this message spam? Answer yes or no.",
    "A consumer asks, an operator answers, a verifier checks the seal.",
)
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ message['role'] + ': ' + message['content'] + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE, so every text has tokens and every token a text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=[BEGIN, END, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=PAD,
        chat_template=TEMPLATE,
        model_max_length=512,
    )


def make_model(tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    torch.manual_seed(SEED)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        # Large enough that the best token wins clearly, whatever order a processor adds up in.
        initializer_range=0.3,
    )
    model = LlamaForCausalLM(config).eval()
    model.generation_config = GenerationConfig(
        do_sample=False,
        max_new_tokens=64,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a tiny random Llama for tests.")
    parser.add_argument("directory", type=Path)
    directory: Path = parser.parse_args().directory
    tokenizer = make_tokenizer()
    model = make_model(tokenizer)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    print(f"{directory}: {model.num_parameters():,} parameters, {len(tokenizer)} tokens")


if __name__ == "__main__":
    main()

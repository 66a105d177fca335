/** Whom the training data of the sentiment model is owed to. */
export interface DataCredit {
  readonly source: string;
  readonly what: string;
  readonly license: string;
  readonly citation: string;
}

/** Every source of the mix, in the order of the model card. Their licences ask for this attribution. */
export const SENTIMENT_DATA_CREDITS: readonly DataCredit[] = [
  {
    source: "sentence_polarity",
    what: "Sentence Polarity v1.0: movie-review snippets",
    license: "CC BY 4.0",
    citation: 'Bo Pang and Lillian Lee, "Seeing stars", ACL 2005',
  },
  {
    source: "movie_reviews",
    what: "Movie Review Polarity v2.0: whole movie reviews",
    license: "CC BY 4.0",
    citation: 'Bo Pang and Lillian Lee, "A Sentimental Education", ACL 2004',
  },
  {
    source: "pros_cons",
    what: "Pros and Cons: phrases of product reviews",
    license: "CC BY 4.0",
    citation:
      'Murthy Ganapathibhotla and Bing Liu, "Mining Opinions in Comparative Sentences", COLING 2008; Bing Liu, Minqing Hu, Junsheng Cheng, "Opinion Observer", WWW 2005',
  },
  {
    source: "product_reviews",
    what: "Customer Review Data: sentences of product reviews",
    license: "CC BY 4.0",
    citation:
      'Minqing Hu and Bing Liu, "Mining and summarizing customer reviews", KDD 2004; Xiaowen Ding, Bing Liu, Philip S. Yu, "A holistic lexicon-based approach to opinion mining", WSDM 2008',
  },
  {
    source: "opinion_lexicon",
    what: "Opinion Lexicon: positive and negative words",
    license: "CC BY 4.0",
    citation: 'Minqing Hu and Bing Liu, "Mining and summarizing customer reviews", KDD 2004',
  },
  {
    source: "goemotions",
    what: "GoEmotions: Reddit comments with emotions",
    license: "CC BY 4.0",
    citation: 'Dorottya Demszky et al., "GoEmotions: A Dataset of Fine-Grained Emotions", ACL 2020',
  },
  {
    source: "xed",
    what: "XED: English movie-subtitle lines with emotions",
    license: "CC BY 4.0",
    citation:
      'Emily Öhman, Marc Pàmies, Kaisla Kajava, Jörg Tiedemann, "XED: A Multilingual Dataset for Sentiment Analysis and Emotion Detection", COLING 2020',
  },
  {
    source: "xed_chinese",
    what: "XED: Chinese movie-subtitle lines, labels projected from English",
    license: "CC BY 4.0",
    citation: "as above",
  },
  {
    source: "zh_conversation_sentiment",
    what: "Chinese Conversation Sentiment (XS): chat lines",
    license:
      "no licence file; the owner allows use, also commercial, on the tracker of the repository z17176/Chinese_conversation_sentiment",
    citation:
      '"Sentiment Classification with Convolutional Neural Networks: an Experimental Study on a Large-scale Chinese Conversation Corpus", CIS 2016',
  },
  {
    source: "zh_weibo_emotion",
    what: "Weibo Emotion Corpus: clauses of microblog posts",
    license: "Apache-2.0",
    citation:
      'Xiyao Cheng et al., "An Emotion Cause Corpus for Chinese Microblogs with Multiple-User Structures", ACM TALLIP 17(1), 2017',
  },
];
